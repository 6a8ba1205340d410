'use strict';
// Imitates memoizers that keep their cache in a closure.
module.exports = function memo(fn) {
  const cache = new Map();
  return function memoized(arg) {
    if (cache.has(arg)) return cache.get(arg);
    const value = fn(arg);
    cache.set(arg, value);
    return value;
  };
};
