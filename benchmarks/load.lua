-- SPDX-License-Identifier: MPL-2.0
-- wrk's script: repeats the requests of a file, in its order, and prints one line of JSON.
-- A line is PATH, token and body, with tabs between them; all requests are made before the first is sent.
-- Arguments: METHOD FILE START (the number of the line to begin with, from 0)
local requests, at = {}, 0

function init(args)
  wrk.method = args[1]
  for line in io.lines(args[2]) do
    local path, token, body = line:match("^([^\t]*)\t([^\t]*)\t(.*)$")
    wrk.headers["X-Auth-Token"] = token ~= "" and token or nil
    wrk.headers["Content-Type"] = body ~= "" and "application/json" or nil
    requests[#requests + 1] = wrk.format(nil, path, nil, body ~= "" and body or nil)
  end
  at = tonumber(args[3]) % #requests
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'JSON {"requests": %d, "seconds": %.3f, "p50": %.3f, "p99": %.3f, "refused": %d, "failed": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
