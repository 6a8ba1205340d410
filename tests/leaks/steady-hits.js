'use strict';
// Control: a Map without a bound, but with a bounded set of keys; every round hits the same ones. @steady
const { RenderedPage } = require('./lib/caches');

const byRoute = new Map();

exports.work = (i) => {
  const route = `/route/${i % 1200}`;
  if (!byRoute.has(route)) byRoute.set(route, new RenderedPage(i % 1200));
};
