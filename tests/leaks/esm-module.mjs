// An ES module: its variables live in a module's context, not in a function's.
import caches from './lib/caches.js';

const { LruCache, RenderedPage } = caches;
const translationCache = new Map(); // @holder translationCache
export const pages = new LruCache(1000);

class Translation { // @class Translation
  constructor(source) {
    this.text = `translated ${source.text}`;
    this.locale = source.locale;
  }
}

export function work(i) {
  const source = { text: `text ${i} `.repeat(6), locale: `l${i % 4}` };
  if (!translationCache.has(source)) translationCache.set(source, new Translation(source));
  pages.set(i, new RenderedPage(i));
}
