'use strict';
// A static list on a class: every instance registers itself.
const { LruCache, Session } = require('./lib/caches');

class Widget { // @holder instances
  static instances = []; // @holder instances
  constructor(i) {
    this.label = `widget ${i} `.repeat(6);
    this.style = { color: `#${i}` };
    Widget.instances.push(this);
  }
}
const sessions = new LruCache(1500);

exports.work = (i) => {
  const widget = new Widget(i);
  sessions.set(i, new Session(widget.label.length + i));
};
