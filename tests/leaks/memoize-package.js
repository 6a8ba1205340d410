'use strict';
// A memoizer from a package, called with fresh objects: its private Map grows, the app's variable is what to change.
const memo = require('fast-memo');
const { LruCache, RenderedPage } = require('./lib/caches');

class Layout { // @class Layout
  constructor(options) {
    this.columns = options.columns;
    this.css = `.grid-${options.columns}{${'display:grid;'.repeat(8)}}`;
  }
}
const computeLayout = memo((options) => new Layout(options)); // @holder computeLayout
const pages = new LruCache(1000);

exports.work = (i) => {
  computeLayout({ columns: `${i}`, theme: `theme-${i % 5}` });
  pages.set(i, new RenderedPage(i));
};
