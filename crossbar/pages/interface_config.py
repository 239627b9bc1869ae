# SPDX-License-Identifier: MPL-2.0
"""`js/config.js` of MonsterUI, with the addresses of this server filled in.

Source: MonsterUI `src/js/config.js`, a module of RequireJS whose value has `api.default` and `api.socket`. The build's
own file stays as it is, and keeps its other settings: it runs with a `define` of its own, which fills its value in.
"""

from __future__ import annotations

import orjson

PATH = "js/config.js"
_HEAD = """\
/* The settings of this folder's js/config.js; crossbar serves them with the addresses of its API filled in. */
(function (define) {
"""
_TAIL = """
})(function () {
  "use strict";
  var api = %s;
  if (location.protocol === "https:" && api.default.indexOf("http://" + location.host + "/") === 0) {
    api.default = api.default.replace(/^http:/, "https:");
    api.socket = api.socket.replace(/^ws:/, "wss:");
  }
  function filled(settings) {
    settings.api = Object.assign({}, settings.api, api);
    return settings;
  }
  var given = Array.prototype.slice.call(arguments);
  var last = given.length - 1;
  var factory = given[last];
  if (typeof factory === "function") {
    given[last] = function (require, exports, module) {
      var made = factory.apply(this, arguments);
      return filled(made === undefined ? (module && module.exports) || exports || {} : made);
    };
    given[last].toString = function () { return factory.toString(); };
  } else {
    given[last] = filled(factory || {});
  }
  define.apply(null, given);
});
"""
_BARE = "define({});"


def is_module(text: str) -> bool:
    """Whether this is a module of RequireJS; anything else is another interface's, and left alone."""
    return "define(" in text


def interface_config(text: str | None, origin: str) -> str:
    """The module, from the text of the build's own one, if it has any, and scheme and host as the client has them."""
    api = {"default": f"{origin}/v2/", "socket": f"ws{origin.removeprefix('http')}/v2/websocket"}
    # Nothing that a host could be called ends the script or begins another line.
    filled = orjson.dumps(api).decode().replace("<", "\\u003c").replace("\u2028", "").replace("\u2029", "")
    return _HEAD + (_BARE if text is None else text) + _TAIL % filled
