'use strict';

const fs = require('fs');
const { ContentImportService } = require('../content-import/content-import.service');
const { Logger } = require('../common/logger');

const ASSIGNMENT = process.env.FEED_ASSIGNMENT || '/var/run/feed/assignment.json';
const SEGMENTS = ['new-customer', 'returning', 'loyalty-gold', 'b2b'];
const WORDS = 'winter sale jacket boots wool price stock ships today free return colour size new season offer'.split(' ');

/** Consumes the partition of the editors' feed that is assigned to this replica. */
class ContentFeedService {
  constructor(imports) {
    this.imports = imports;
    this.logger = new Logger('ContentFeedService');
    this.assignment = { partition: -1, updatesPerSecond: 0, fields: [] };
    this.seed = 1;
    this.offset = 0;
    this.owed = 0;
  }

  onModuleInit() {
    this.rebalance();
    this.last = Date.now();
    this.timers = [setInterval(() => this.rebalance(), 2000), setInterval(() => this.poll(), 200)];
  }

  onModuleDestroy() {
    for (const timer of this.timers) clearInterval(timer);
  }

  rebalance() {
    try {
      const next = JSON.parse(fs.readFileSync(ASSIGNMENT, 'utf8'));
      if (next.partition !== this.assignment.partition) {
        this.logger.log(`partition ${next.partition} assigned`);
        this.seed = 7919 * (next.partition + 1);
      }
      this.assignment = next;
    } catch (error) {
      this.logger.warn(`no assignment yet: ${error.code || error.message}`);
    }
  }

  poll() {
    const now = Date.now();
    this.owed = Math.min(this.owed + ((now - this.last) / 1000) * this.assignment.updatesPerSecond, 200);
    this.last = now;
    for (; this.owed >= 1; this.owed -= 1) this.imports.importUpdate(this.next());
  }

  random(bound) {
    this.seed = (this.seed * 1103515245 + 12345) % 2147483648;
    return this.seed % bound;
  }

  sentence(length) {
    let text = WORDS[this.random(WORDS.length)];
    for (let i = 1; i < length; i += 1) text += ` ${WORDS[this.random(WORDS.length)]}`;
    return text;
  }

  next() {
    this.offset += 1;
    const article = this.random(1500);
    const update = {
      id: `c-${article}`,
      slug: `page-${article}`,
      revision: this.offset,
      title: `${this.sentence(4)} `,
      body: `# ${this.sentence(4)}\n\n${this.sentence(24)}\n\n${this.sentence(30)}\n\n${this.sentence(18)}`,
    };
    if (this.assignment.fields.includes('personalization')) {
      const rules = { minOrders: this.random(5), country: 'DE', channel: 'web' };
      update.personalization = { segments: SEGMENTS.map((name) => ({ name, rules })) };
    }
    return update;
  }
}
ContentFeedService.inject = [ContentImportService];

module.exports = { ContentFeedService };
