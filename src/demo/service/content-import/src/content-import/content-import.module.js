'use strict';

const { CatalogModule } = require('../catalog/catalog.module');
const { ContentImportController } = require('./content-import.controller');
const { ContentImportService } = require('./content-import.service');

class ContentImportModule {}
ContentImportModule.metadata = {
  imports: [CatalogModule],
  providers: [ContentImportService],
  controllers: [ContentImportController],
};

module.exports = { ContentImportModule };
