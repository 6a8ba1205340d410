'use strict';
// Two leaks, one four times the other: the bigger must come first, the smaller must be there.
const { LruCache, RenderedPage } = require('./lib/caches');

const undoStack = []; // @holder undoStack
const drafts = new Map(); // @second drafts
const pages = new LruCache(1000);

exports.work = (i) => {
  undoStack.push({ before: `before ${i} `.repeat(15), after: `after ${i} `.repeat(15), author: `a-${i}` });
  drafts.set(`draft-${i}`, { id: `d-${i}` });
  pages.set(i, new RenderedPage(i));
};
