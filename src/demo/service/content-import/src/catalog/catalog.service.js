'use strict';

const { LruCache } = require('../common/lru-cache');

/** What the shop shows: the newest version of each page, and rendered teasers. Both are bounded. */
class CatalogService {
  constructor() {
    this.pages = new LruCache(2000);
    this.teasers = new LruCache(500);
    this.published = 0;
  }

  publish(content) {
    this.pages.set(content.slug, { slug: content.slug, title: content.title, revision: content.revision });
    this.teasers.set(content.slug, `<article><h2>${content.title}</h2><p>${content.teaser}</p></article>`);
    this.published += 1;
  }

  page(slug) {
    return this.pages.get(slug);
  }
}

module.exports = { CatalogService };
