// SPDX-License-Identifier: MPL-2.0
// What Swagger UI does itself in many seconds with a description of this size: reading it, and following its references.

function at(spec, steps) {
  return steps.reduce((part, step) => part?.[step], spec);
}

function target(spec, reference) {
  return at(spec, reference.slice(2).split("/").map((step) => decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~")));
}

/** A part of a description with what it refers to in place; what would hold itself stays a reference. */
export function resolved(spec, part, above = []) {
  if (Array.isArray(part)) return part.map((one) => resolved(spec, one, above));
  if (part === null || typeof part !== "object") return part;
  const { $ref: reference, ...beside } = part;
  if (typeof reference !== "string" || !reference.startsWith("#/")) {
    return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, resolved(spec, value, above)]));
  }
  const found = target(spec, reference);
  if (found === undefined || above.includes(reference)) return part;
  return resolved(spec, { ...found, ...beside }, [...above, reference]);
}

/** An operation with the parameters that it shares with the others of its path, which Swagger UI asks for there. */
function whole(spec, path) {
  const part = at(spec, path);
  if (path.length !== 3 || path[0] !== "paths") return part;
  const shared = at(spec, path.slice(0, 2))?.parameters || [];
  return part && { ...part, parameters: [...shared, ...(part.parameters || [])] };
}

/** A plugin of Swagger UI. */
export function quick() {
  return {
    fn: {
      resolveSubtree: async (spec, path) => ({ spec: resolved(spec, whole(spec, path)), errors: [] }),
    },
    statePlugins: {
      spec: {
        wrapActions: {
          parseToJson: (original, { specActions, specSelectors }) => (text) => {
            try {
              return specActions.updateJsonSpec(JSON.parse(text || specSelectors.specStr()));
            } catch {
              return original(text);
            }
          },
        },
      },
    },
  };
}
