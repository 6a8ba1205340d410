'use strict';

const { ContentImportModule } = require('../content-import/content-import.module');
const { ContentFeedService } = require('./content-feed.service');

class ContentFeedModule {}
ContentFeedModule.metadata = { imports: [ContentImportModule], providers: [ContentFeedService], controllers: [] };

module.exports = { ContentFeedModule };
