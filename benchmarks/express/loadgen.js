'use strict';
// Bounded load generator, loopback only. --bodies FILE: lines "signature<TAB>body", each sent once.
//   rate  : open loop, --rate R --seconds S; latency counted from the scheduled send time
//   burst : closed loop, --count N --conns C
// Prints one JSON line; --out FILE gets per-request records [{id, t_sched, t_202, status, job}]
const http = require('http');
const fs = require('fs');
const arg = (k, d) => { const i = process.argv.indexOf('--' + k); return i < 0 ? d : process.argv[i + 1]; };
const mode = process.argv[2];
const url = new URL(arg('url'));
if (!['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)) throw new Error('loopback only');
// timeout: drop idle sockets before the server's 5 s keep-alive limit does (a reuse race is not the server's error)
const agent = new http.Agent({ keepAlive: true, timeout: 3000, maxSockets: Number(arg('conns', 64)) });
const now = () => performance.timeOrigin + performance.now();
const recs = [];
let errors = 0;
const bodies = fs.readFileSync(arg('bodies'), 'utf8').split('\n').filter(Boolean).map((l) => l.split('\t'));

function send(seq, tSched) {
  if (seq >= bodies.length) throw new Error('the bodies have run out');
  const [sig, body] = bodies[seq];
  const id = JSON.parse(body).events[0].resourceId;
  const buf = Buffer.from(body);
  return new Promise((resolve) => {
    const t_send = now();
    const req = http.request({ agent, host: url.hostname, port: url.port, path: url.pathname, method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': buf.length, 'x-xero-signature': sig } }, (res) => {
      const chunks = [];
      res.on('data', (c) => chunks.push(c));
      res.on('end', () => {
        const r = { id, t_sched: tSched ?? t_send, t_send, t_202: now(), status: res.statusCode };
        try { const j = JSON.parse(Buffer.concat(chunks)); r.job = j.job_id || j.jobId || j.id; } catch {}
        if (res.statusCode < 200 || res.statusCode > 299) errors++;
        recs.push(r); resolve();
      });
    });
    req.setTimeout(30000, () => req.destroy(new Error('timeout')));
    req.on('error', () => { errors++; resolve(); });
    req.end(buf);
  });
}
const q = (a, p) => a.length ? a[Math.min(a.length - 1, Math.max(0, Math.ceil(p * a.length) - 1))] : null;
const r2 = (x) => x == null ? null : Math.round(x * 100) / 100;

(async () => {
  const t0 = now();
  if (mode === 'rate') {
    const rate = Number(arg('rate')), secs = Number(arg('seconds'));
    const total = Math.round(rate * secs);
    if (total > 200000 || secs > 600) throw new Error('bounds');
    const pend = [];
    let i = 0;
    const t00 = now() + 50;
    await new Promise((done) => {
      const tick = () => {
        const t = now();
        while (i < total && t00 + i * 1000 / rate <= t) { pend.push(send(i, t00 + i * 1000 / rate)); i++; }
        if (i >= total) return done();
        setTimeout(tick, Math.max(0, t00 + i * 1000 / rate - now()));
      };
      tick();
    });
    await Promise.all(pend);
  } else if (mode === 'burst') {
    const count = Number(arg('count')), conns = Number(arg('conns', 32));
    if (count > 200000) throw new Error('bounds');
    let i = 0;
    await Promise.all(Array.from({ length: conns }, async () => { while (i < count) await send(i++); }));
  } else throw new Error('mode');
  const t1 = now();
  const lat = recs.map((r) => r.t_202 - r.t_sched).sort((a, b) => a - b);
  if (arg('out')) fs.writeFileSync(arg('out'), JSON.stringify(recs));
  console.log(JSON.stringify({ mode, sent: recs.length, errors, seconds: r2((t1 - t0) / 1000), rps: r2(recs.length / ((t1 - t0) / 1000)),
    p50_ms: r2(q(lat, 0.5)), p95_ms: r2(q(lat, 0.95)), p99_ms: r2(q(lat, 0.99)), max_ms: r2(q(lat, 1)), t_first: t0, t_last: t1 }));
  agent.destroy();
})();
