'use strict';
// The incident this tool was made for: a content-import service in the NestJS manner. Old code keeps what it parsed in a
// module-level Map keyed by the update object itself; every update is a fresh object, so entries never hit and never leave.
const { bounds, LruCache, RingBuffer, RenderedPage, Session } = require('./lib/caches');

class ContentBlock {
  constructor(kind, text) {
    this.kind = kind;
    this.text = text;
  }
}
class ImportedContent { // @class ImportedContent
  constructor(update) {
    this.id = update.id;
    this.blocks = update.body.split('|').map((text, n) => new ContentBlock(n ? 'paragraph' : 'title', text));
    this.etag = `W/"${update.id}-${update.revision}"`;
  }
}

const parsedContentCache = new Map(); // @holder parsedContentCache

class RenderService {
  constructor() {
    this.pages = new LruCache(900);
  }
  render(id) {
    this.pages.set(id, new RenderedPage(id));
  }
}
class SessionService {
  constructor() {
    this.sessions = new LruCache(1500);
    this.recent = new RingBuffer(800);
  }
  touch(id) {
    const session = new Session(id);
    this.sessions.set(session.id, session);
    this.recent.push(session);
  }
}
class ContentImportService {
  constructor(render, sessions) {
    this.render = render;
    this.sessions = sessions;
    this.imported = 0;
  }
  handleUpdate(update) {
    const parsed = this.parse(update);
    this.imported += 1;
    this.render.render(update.id);
    this.sessions.touch(update.revision);
    return parsed.blocks.length;
  }
  parse(update) {
    let parsed = parsedContentCache.get(update);
    if (!parsed) {
      parsed = new ImportedContent(update);
      parsedContentCache.set(update, parsed);
    }
    return parsed;
  }
}
class InstanceWrapper {
  constructor(name, instance) {
    this.name = name;
    this.instance = instance;
    this.isResolved = true;
  }
}
class Module {
  constructor() {
    this._providers = new Map();
  }
  addProvider(type, ...args) {
    const instance = new type(...args);
    this._providers.set(type, new InstanceWrapper(type.name, instance));
    return instance;
  }
}
class NestContainer {
  constructor() {
    this.modules = new Map();
  }
}
const container = new NestContainer();
const contentModule = new Module();
container.modules.set('ContentModule', contentModule);
const render = contentModule.addProvider(RenderService);
const sessions = contentModule.addProvider(SessionService);
contentModule.addProvider(ContentImportService, render, sessions);

module.exports = {
  perRound: 1500,
  work(i) {
    const update = { id: `art_${i}`, revision: i, source: i >= 1600 * bounds.scale ? 'partner-feed-v2' : 'editorial', body: `Title ${i}|${'text '.repeat(12)}${i}|end ${i}` };
    const service = contentModule._providers.get(ContentImportService).instance;
    service.handleUpdate(update);
  },
};
