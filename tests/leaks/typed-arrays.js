'use strict';
// Embeddings kept per document in an object field: the bytes are in ArrayBuffers.
const { LruCache, RenderedPage } = require('./lib/caches');

class VectorIndex {
  constructor() { // @holder vectors
    this.vectors = {}; // @holder vectors
  }
  add(id, values) {
    this.vectors[id] = Float32Array.from(values);
  }
}
const vectorIndex = new VectorIndex();
const pages = new LruCache(1200);
const base = Array.from({ length: 1024 }, (_, n) => n / 1024);

exports.work = (i) => {
  if (i % 3 === 0) vectorIndex.add(`doc-${i}`, base);
  pages.set(i, new RenderedPage(i));
};
