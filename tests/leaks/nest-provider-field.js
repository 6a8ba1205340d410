'use strict';
// A singleton provider with a dictionary field; the container and the module hold it as Nest does.
const { LruCache, RenderedPage } = require('./lib/caches');

class Module {
  constructor() {
    this._providers = new Map();
    this._controllers = new Map();
  }
}
class InstanceWrapper {
  constructor(token, instance) {
    this.token = token;
    this.instance = instance;
    this.values = new WeakMap([[{ id: 1 }, { instance, isResolved: true }]]);
  }
}
class DeduplicationService { // @holder processed
  constructor() { // @holder processed
    this.processed = {}; // @holder processed
    this.pages = new LruCache(1200);
  }
  once(event) {
    if (this.processed[event.id]) return;
    this.processed[event.id] = { event, receivedAt: new Date(), note: `first seen ${event.id}` };
    this.pages.set(event.id, new RenderedPage(event.n));
  }
}
class EventsController {
  constructor(dedup) {
    this.dedup = dedup;
  }
  post(i) {
    this.dedup.once({ id: `evt_${i}_${(i * 7919) % 65536}`, n: i, body: `event body ${i}` });
  }
}
const appModule = new Module();
const dedup = new DeduplicationService();
appModule._providers.set(DeduplicationService, new InstanceWrapper(DeduplicationService, dedup));
appModule._controllers.set(EventsController, new InstanceWrapper(EventsController, new EventsController(dedup)));

exports.work = (i) => appModule._controllers.get(EventsController).instance.post(i);
