'use strict';
// A log kept as one string that is only ever added to.
const { LruCache, RenderedPage } = require('./lib/caches');

const pages = new LruCache(900);
class Transcript {
  constructor() { // @holder text
    this.text = ''; // @holder text
  }
  add(line) {
    this.text += line;
  }
}
const transcript = new Transcript();

exports.work = (i) => {
  transcript.add(`line ${i}: ${'said '.repeat(12)}\n`);
  pages.set(i, new RenderedPage(i));
};
