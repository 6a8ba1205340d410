'use strict';

const { CatalogService } = require('./catalog.service');

class CatalogController {
  constructor(catalog) {
    this.catalog = catalog;
  }

  page(query) {
    return this.catalog.page(query.get('slug') || '') || { statusCode: 404, message: 'no such page' };
  }
}
CatalogController.inject = [CatalogService];
CatalogController.routes = { '/pages': 'page' };

module.exports = { CatalogController };
