'use strict';
// Each retry is remembered as a function; its scope holds the whole response for the sake of one number.
const { LruCache, Session } = require('./lib/caches');

const retries = []; // @holder retries
const sessions = new LruCache(1500);

function schedule(i) {
  const response = { status: 503, rows: Array.from({ length: 8 }, (_, n) => `row ${n} of response ${i}`) };
  const attempt = { number: i };
  retries.push(function retry() {
    return attempt.number + response.status;
  });
}

exports.work = (i) => {
  schedule(i);
  sessions.set(i, new Session(i));
};
