'use strict';
// The growth is spread over many lists under one Map: no single list stands out.
const { LruCache, RenderedPage } = require('./lib/caches');

const eventsByTenant = new Map(); // @holder eventsByTenant
const pages = new LruCache(1200);

class DomainEvent { // @class DomainEvent
  constructor(i) {
    this.type = `type-${i % 11}`;
    this.data = { i: `${i}`, note: `event ${i} `.repeat(5) };
  }
}

exports.work = (i) => {
  const tenant = `tenant-${i % 60}`;
  let events = eventsByTenant.get(tenant);
  if (!events) eventsByTenant.set(tenant, (events = []));
  events.push(new DomainEvent(i));
  pages.set(i, new RenderedPage(i));
};
