'use strict'; // A tree that grows at its leaves: no single list stands out.
const { LruCache, RenderedPage } = require('./lib/caches');
class TreeNode { // @class TreeNode
  constructor(name) { this.name = name; this.children = []; } // @holder categoryTree
}
const categoryTree = new TreeNode('root'); // @holder categoryTree
const pages = new LruCache(1000);
exports.work = (i) => {
  let at = categoryTree;
  for (const part of [i % 5, i % 35, i % 245]) { let next = at.children[part % 7]; if (!next) at.children.push(next = new TreeNode(`n${part}`)); at = next; }
  at.children.push(new TreeNode(`leaf ${i} `.repeat(6)));
  pages.set(i, new RenderedPage(i));
};
