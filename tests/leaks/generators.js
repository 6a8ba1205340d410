'use strict';
// Cursors that are opened and never read to the end.
const { LruCache, Session } = require('./lib/caches');

const openCursors = new Map(); // @holder openCursors
const sessions = new LruCache(1500);

function* cursor(i) { // @holder openCursors
  const rows = [`first row of ${i}`.repeat(6), `second row of ${i}`];
  for (const row of rows) yield row;
}

exports.work = (i) => {
  const reading = cursor(i);
  reading.next();
  openCursors.set(`c-${i}`, reading);
  sessions.set(i, new Session(i));
};
