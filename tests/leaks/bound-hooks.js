'use strict';
// Shutdown hooks registered per tenant reload, bound to the instance they should let go of.
const { LruCache, Session } = require('./lib/caches');

const shutdownHooks = []; // @holder shutdownHooks
const sessions = new LruCache(1500);

class TenantRuntime { // @class TenantRuntime
  constructor(i) {
    this.name = `tenant-${i}`;
    this.rules = [`allow ${i} `.repeat(6), `deny ${i}`];
    shutdownHooks.push(this.stop.bind(this));
  }
  stop() {
    this.rules = null;
  }
}

exports.work = (i) => {
  const runtime = new TenantRuntime(i);
  sessions.set(i, new Session(runtime.name.length + i));
};
