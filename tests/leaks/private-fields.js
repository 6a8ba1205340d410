'use strict';
// A class that keeps its entries in a private field.
const { LruCache, Session } = require('./lib/caches');

class PriceBook { // @holder #quotes
  #quotes = new Map(); // @holder #quotes
  #hits = 0;
  quote(item) {
    const found = this.#quotes.get(item);
    if (found) {
      this.#hits += 1;
      return found;
    }
    const quote = { sku: item.sku, price: item.base * 1.19, text: `price of ${item.sku} `.repeat(5) };
    this.#quotes.set(item, quote);
    return quote;
  }
}
const priceBook = new PriceBook();
const sessions = new LruCache(1500);

exports.work = (i) => {
  priceBook.quote({ sku: `sku-${i}`, base: i });
  sessions.set(i, new Session(i));
};
