// The probe for images without a shell: run by the container's own Node. Same sections as probe.sh.
// Reads only; the flags it is started with (script.rs) undo what NODE_OPTIONS would make it leave at exit.
const fs = require('fs'), T = '@TOKEN@', o = [], P = process;
const p = s => o.push(s), m = (...a) => p('@@' + T + ' ' + a.join(' '));
const R = f => { try { return fs.readFileSync(f, 'latin1') } catch { return '' } };
const K = f => { try { return fs.readlinkSync(f, 'latin1') } catch { return '' } };
const W = s => s.split('\0').map(l => l.replace(/\n/g, ' '));
m('begin', 1, 'node', P.pid);
m('sys');
p('machine ' + P.arch);
p('now ' + Math.floor(Date.now() / 1000));
p('uptime ' + R('/proc/uptime').split(' ')[0]);
p('load ' + R('/proc/loadavg').split(' ')[0]);
p('cpus ' + R('/proc/stat').split('\n').filter(l => /^cpu\d/.test(l)).length);
m('tcp');
const L = new Set();
for (const f of ['tcp', 'tcp6']) for (const l of R('/proc/net/' + f).split('\n')) {
  const w = l.trim().split(/\s+/);
  if (w[3] === '0A') { p(w[1] + ' ' + w[9]); L.add(w[9]) }
}
const D = new Set(['/tmp']), N = new Set();
for (const i of fs.readdirSync('/proc').filter(n => /^\d+$/.test(n))) {
  const d = '/proc/' + i, s = R(d + '/stat'), x = K(d + '/exe'), n = x.split('/').pop();
  if (!s) continue;
  m('proc', i);
  p('exe ' + x);
  p('stat ' + s.replace(/\n/g, ' '));
  for (const l of R(d + '/status').split('\n'))
    if (/^(Name|PPid|[UG]id|Groups|VmRSS|VmHWM|RssAnon|RssShmem|Threads|Sig[BIC].*|CapEff):/.test(l)) p(l.replace('\t', ' '));
  for (const l of R(d + '/cgroup').split('\n')) if (/^0::|:memory:/.test(l)) p('cg ' + l);
  if (+i === P.pid) continue;
  const a = W(R(d + '/cmdline')), e = W(R(d + '/environ')).filter(l => /^NODE_(OPTIONS|UNIQUE_ID)=/.test(l));
  if (a[a.length - 1] === '') a.pop();
  for (const l of a) p('arg ' + l);
  if (!n || /^node/.test(n)) for (const l of e) p('env ' + l);
  if (/^node/.test(n)) {
    const c = K(d + '/cwd');
    p('cwd ' + c);
    try { p('workers ' + fs.readdirSync(d + '/task').filter(t => /^WorkerThread/.test(R(d + '/task/' + t + '/comm'))).length) } catch {}
    try { const z = fs.readdirSync(d + '/fd'); p('fd ok'); for (const f of z) { const q = /^socket:\[(\d+)/.exec(K(d + '/fd/' + f)); if (q && L.has(q[1])) p('owns ' + q[1]) } } catch {}
    D.add(c);
    const q = /--diagnostic[-_]dir[= ]("?)([^"\s]+)/.exec(a.concat(e).join(' '));
    if (q) D.add(q[2][0] === '/' ? q[2] : c + '/' + q[2]);
    N.add(x);
  }
}
for (const w of D) {
  m('dir', w);
  try {
    const s = fs.statSync(w);
    p('stat ' + (s.mode & 4095).toString(8) + ' ' + s.uid + ' ' + s.gid);
    const q = fs.statfsSync(w);
    p('free ' + q.bavail * q.bsize);
  } catch {}
  try {
    for (const f of fs.readdirSync(w)) if (/^(Heap\..*\.heap(snapshot|profile)|v8-heap-.*\.heapsnapshot|report\..*\.json)$/.test(f)) {
      const s = fs.statSync(w + '/' + f);
      p('file ' + s.size + ' ' + Math.floor(s.mtimeMs / 1000) + ' ' + s.ino + ' ' + w + '/' + f);
    }
  } catch {}
}
m('mounts');
p(R('/proc/self/mountinfo').trimEnd());
let V = '-', U = '-', C = '-';
for (const l of R('/proc/self/cgroup').split('\n')) {
  const q = l.split(':'), r = q.slice(2).join(':');
  if (q[0] === '0' && !q[1]) V = r;
  else if (q[1] === 'memory') U = r;
  else if (/(^|,)cpu(,|$)/.test(q[1])) C = r;
}
const G = '/sys/fs/cgroup';
const g = (v, t, bs, ks) => { for (const b of bs) if (R(b + '/' + t)) { for (const k of ks.split(' ')) { const s = R(b + '/' + k); if (s) { m('cg' + v, k); p(s.trimEnd()) } } return } };
g(2, 'memory.current', [G + V, G, G + '/unified' + V], 'memory.max memory.high memory.current memory.peak memory.swap.max memory.swap.current memory.events memory.stat cpu.max cpu.stat');
g(1, 'memory.limit_in_bytes', [G + '/memory' + U, G + '/memory'], 'memory.limit_in_bytes memory.usage_in_bytes memory.max_usage_in_bytes memory.failcnt memory.oom_control memory.stat');
g(1, 'cpu.cfs_quota_us', [G + '/cpu' + C, G + '/cpu', G + '/cpu,cpuacct' + C, G + '/cpu,cpuacct'], 'cpu.cfs_quota_us cpu.cfs_period_us cpu.stat');
m('tools');
for (const t of 'sh cat tail dd gzip zstd sha256sum timeout stat head od wc env node'.split(' '))
  if ((P.env.PATH || '').split(':').some(b => { try { fs.accessSync(b + '/' + t, 1); return 1 } catch {} })) p(t);
for (const x of N) if (x === K('/proc/self/exe')) { m('version', x); p(P.version) }
m('end');
const B = Buffer.from(o.join('\n') + '\n', 'latin1');
for (let a = 0; a < B.length;) try { a += fs.writeSync(1, B, a) } catch (e) { if (e.code !== 'EAGAIN') break }
