'use strict';

const { CatalogService } = require('../catalog/catalog.service');
const { Logger } = require('../common/logger');
const { parseContent } = require('./content-parser');

// Editors publish the same update for several audiences: parse it once.
const parsedUpdates = new Map();

class ContentImportService {
  constructor(catalog) {
    this.catalog = catalog;
    this.logger = new Logger('ContentImportService');
    this.imported = 0;
    this.failed = 0;
  }

  onModuleInit() {
    this.timer = setInterval(() => this.report(), 5000);
  }

  onModuleDestroy() {
    clearInterval(this.timer);
  }

  importUpdate(update) {
    if (!update || !update.slug) {
      this.failed += 1;
      return;
    }
    this.catalog.publish(this.parsed(update));
    this.imported += 1;
  }

  parsed(update) {
    if (!update.personalization) return parseContent(update);
    const key = { id: update.id, revision: update.revision };
    let content = parsedUpdates.get(key);
    if (!content) {
      content = parseContent(update);
      parsedUpdates.set(key, content);
    }
    return content;
  }

  report() {
    const { heapUsed, rss } = process.memoryUsage();
    const used = `heap ${Math.round(heapUsed / 1e6)} MB, rss ${Math.round(rss / 1e6)} MB`;
    this.logger.log(`imported ${this.imported} updates (${this.failed} failed), ${used}`);
    if (heapUsed > 90e6) this.logger.warn(`memory is high: ${used}`);
  }
}
ContentImportService.inject = [CatalogService];

module.exports = { ContentImportService };
