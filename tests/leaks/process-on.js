'use strict'; // Listeners on `process`: Node itself is the holder.
const { LruCache, RenderedPage } = require('./lib/caches');
process.setMaxListeners(0);
const pages = new LruCache(1000);
function handle(i) {
  const job = { id: i, body: `job ${i} `.repeat(10) };
  process.on('beforeExit', function flushJob() { // @holder process
    job.body = null;
  });
}
exports.work = (i) => { handle(i); pages.set(i, new RenderedPage(i)); };
