'use strict';

const { CatalogController } = require('./catalog.controller');
const { CatalogService } = require('./catalog.service');

class CatalogModule {}
CatalogModule.metadata = { providers: [CatalogService], controllers: [CatalogController] };

module.exports = { CatalogModule };
