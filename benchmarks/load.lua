-- wrk's script: repeats the requests of a file (paths, an empty line, bodies) and prints one line of JSON.
-- Arguments: METHOD FILE [HEADER…]
local paths, bodies, at = {}, {}, 0

function init(args)
  wrk.method = args[1]
  local into = paths
  for line in io.lines(args[2]) do
    if line == "" then into = bodies else into[#into + 1] = line end
  end
  for index = 3, #args do
    local name, value = args[index]:match("^(.-): (.*)$")
    wrk.headers[name] = value
  end
  at = math.random(#paths)
end

function request()
  at = at + 1
  local body = #bodies > 0 and bodies[at % #bodies + 1] or nil
  return wrk.format(nil, paths[at % #paths + 1], nil, body)
end

function done(summary, latency)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format(
    'JSON {"requests": %d, "seconds": %.3f, "p50": %.3f, "p99": %.3f, "errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000, failed))
end
