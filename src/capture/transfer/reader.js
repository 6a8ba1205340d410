// As reader.sh, run by the container's own Node where there is no shell.
const fs = require('fs'), zl = require('zlib'), B = 65536;
let f = @FILE@, d = @DIR@, k = @KNOWN@, p = @PID@, w = @WATCH@, o = @OFFSET@, i, t = -1, q = o;
const S = b => { for (let a = 0; a < b.length;) try { a += fs.writeSync(1, b, a) } catch (e) { if (e.code !== 'EAGAIN') process.exit() } };
const L = s => S(Buffer.from('CTO1 ' + s + '\n'));
const A = () => { try { process.kill(p, 0); return 1 } catch (e) { return e.code === 'EPERM' ? 1 : 0 } };
const Z = () => { setTimeout(() => process.exit(), 60000) };
const K = zl.constants, Y = b => zl.zstdCompressSync ? zl.zstdCompressSync(b, { params: { [K.ZSTD_c_compressionLevel]: 1, [K.ZSTD_c_checksumFlag]: 1 } }) : zl.gzipSync(b, { level: 1 });
L('H ' + process.pid);
const R = n => { const b = Buffer.allocUnsafe(n), h = fs.openSync(f, 'r'); try { let g = 0, r; while (g < n && (r = fs.readSync(h, b, g, n - g, o + g)) > 0) g += r; return b.subarray(0, g) } finally { fs.closeSync(h) } };
const G = () => {
  if (!f) {
    try {
      const x = fs.readdirSync(d).find(x => (/^v8-heap-.*\.heapsnapshot$/.test(x) || (/^Heap\..*\.heapsnapshot$/.test(x) && x.split('.')[3] === '' + p)) && !k.includes(x));
      if (x) f = d + '/' + x;
    } catch {}
    if (!f) { const l = A(); L('W ' + l); return l || w ? setTimeout(G, 250) : 0 }
    L('N ' + f);
  }
  let s;
  try { s = fs.statSync(f) } catch { L('G'); return Z() }
  if (i === undefined) i = s.ino;
  if (i !== s.ino || s.size < q) { L('C'); return Z() }
  q = s.size;
  const c = Math.min(Math.floor((s.size - o) / B), @MOST@);
  if (c > 0) {
    const b = R(c * B);
    L('F ' + i + ' ' + o); S(Y(b)); o += b.length - b.length % B;
    return setImmediate(G);
  }
  if (s.size !== t && s.size > o) { t = s.size; const b = R(s.size - o); L('F ' + i + ' ' + o); S(Y(b)); return setImmediate(G) }
  L('Q ' + s.size + ' ' + A());
  setTimeout(G, 250);
};
if (f) L('N ' + f);
G();
