'use strict';

class ContentBlock {
  constructor(kind, text, position) {
    this.kind = kind;
    this.text = text;
    this.position = position;
    this.anchor = `${kind}-${position}`;
  }
}

class AudienceVariant {
  constructor(segment, rules, headline) {
    this.segment = segment;
    this.rules = rules;
    this.headline = headline;
  }
}

class ParsedContent {
  constructor(update) {
    this.id = update.id;
    this.slug = update.slug;
    this.revision = update.revision;
    this.title = update.title.trim();
    this.teaser = update.body.slice(0, 120);
    this.blocks = [];
    this.variants = [];
  }
}

/** Splits an update's body into blocks and its personalization into variants. */
function parseContent(update) {
  const content = new ParsedContent(update);
  let position = 0;
  for (const paragraph of update.body.split('\n\n')) {
    const kind = paragraph.startsWith('# ') ? 'heading' : 'paragraph';
    content.blocks.push(new ContentBlock(kind, `${paragraph} `, position));
    position += 1;
  }
  const segments = (update.personalization && update.personalization.segments) || [];
  for (const segment of segments) {
    content.variants.push(new AudienceVariant(segment.name, { ...segment.rules }, `${update.title} for ${segment.name}`));
  }
  return content;
}

module.exports = { parseContent, ParsedContent, ContentBlock, AudienceVariant };
