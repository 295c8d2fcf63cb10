-- BODIES names a file (or a pipe) of lines "signature<TAB>body", each of which is sent once. Prints one line for wrk.py.
local source
function init()
  source = io.open(os.getenv("BODIES"))
end
function request()
  local line = source:read("*l")
  if not line then
    return wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, "the bodies have run out")
  end
  local tab = line:find("\t", 1, true)
  return wrk.format("POST", nil, {
    ["Content-Type"] = "application/json",
    ["x-xero-signature"] = line:sub(1, tab - 1),
  }, line:sub(tab + 1))
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%.3f,"p50_ms":%.2f,"p99_ms":%.2f,"refused":%d,"lost":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    e.status, e.connect + e.read + e.write + e.timeout))
end
