'use strict';

const { CatalogModule } = require('./catalog/catalog.module');
const { ContentFeedModule } = require('./content-feed/content-feed.module');
const { ContentImportModule } = require('./content-import/content-import.module');
const { HealthController } = require('./health/health.controller');

class AppModule {}
AppModule.metadata = {
  imports: [CatalogModule, ContentImportModule, ContentFeedModule],
  providers: [],
  controllers: [HealthController],
};

module.exports = { AppModule };
