'use strict';
// Request-scoped instances that the container keeps per context id, and nothing ever forgets.
const { LruCache, Session } = require('./lib/caches');

class InstanceWrapper {
  constructor(metatype) { // @holder values
    this.metatype = metatype;
    this.scope = 'REQUEST';
    this.values = new Map(); // @holder values
  }
  getInstanceByContextId(contextId) {
    let host = this.values.get(contextId);
    if (!host) {
      host = { instance: new this.metatype(contextId), isResolved: true, isPending: false };
      this.values.set(contextId, host);
    }
    return host.instance;
  }
}
class TenantContext { // @class TenantContext
  constructor(contextId) {
    this.contextId = contextId;
    this.tenant = `tenant-${contextId.id % 9}`;
    this.settings = { locale: 'en', features: [`f${contextId.id}`, 'base'], note: `settings for ${contextId.id} `.repeat(4) };
  }
}
const wrapper = new InstanceWrapper(TenantContext);
const sessions = new LruCache(1500);

exports.work = (i) => {
  wrapper.getInstanceByContextId({ id: i });
  sessions.set(i, new Session(i));
};
