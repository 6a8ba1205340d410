'use strict';
// A queue whose consumer died: a linked list with an owner's back-pointer in every node.
const { LruCache, RenderedPage } = require('./lib/caches');

class QueueNode { // @class QueueNode
  constructor(queue, job) {
    this.queue = queue;
    this.job = job;
    this.next = null;
    this.prev = null;
  }
}
class WorkQueue {
  constructor() {
    this.head = null;
    this.tail = null;
  }
  push(job) {
    const node = new QueueNode(this, job);
    if (this.tail) {
      this.tail.next = node;
      node.prev = this.tail;
    } else {
      this.head = node;
    }
    this.tail = node;
  }
}
const thumbnailQueue = new WorkQueue(); // @holder thumbnailQueue
const pages = new LruCache(1200);

exports.work = (i) => {
  thumbnailQueue.push({ image: `image-${i}.png`, size: { w: `${i}px`, h: `${i + 1}px` } });
  pages.set(i, new RenderedPage(i));
};
