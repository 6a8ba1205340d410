'use strict';
// Sixteen bytes of each upload are remembered; they keep the whole upload.
const { LruCache, Session } = require('./lib/caches');

const magicBytes = new Map(); // @holder magicBytes
const sessions = new LruCache(1500);

exports.work = (i) => {
  sessions.set(i, new Session(i));
  if (i % 5) return;
  const upload = Buffer.alloc(16384, i % 256);
  magicBytes.set(`upload-${i}`, upload.subarray(0, 16));
};
