//! The bundled files of the demo's images, as they lie under `/usr/src/app`.

use std::path::Path;

/// (image, path, text)
const FILES: &[(&str, &str, &str)] = &[
    ("content-import", "package.json", include_str!("service/content-import/package.json")),
    ("content-import", "src/app.module.js", include_str!("service/content-import/src/app.module.js")),
    ("content-import", "src/main.js", include_str!("service/content-import/src/main.js")),
    ("content-import", "src/catalog/catalog.controller.js", include_str!("service/content-import/src/catalog/catalog.controller.js")),
    ("content-import", "src/catalog/catalog.module.js", include_str!("service/content-import/src/catalog/catalog.module.js")),
    ("content-import", "src/catalog/catalog.service.js", include_str!("service/content-import/src/catalog/catalog.service.js")),
    ("content-import", "src/common/logger.js", include_str!("service/content-import/src/common/logger.js")),
    ("content-import", "src/common/lru-cache.js", include_str!("service/content-import/src/common/lru-cache.js")),
    ("content-import", "src/common/module-factory.js", include_str!("service/content-import/src/common/module-factory.js")),
    (
        "content-import",
        "src/content-feed/content-feed.module.js",
        include_str!("service/content-import/src/content-feed/content-feed.module.js"),
    ),
    (
        "content-import",
        "src/content-feed/content-feed.service.js",
        include_str!("service/content-import/src/content-feed/content-feed.service.js"),
    ),
    (
        "content-import",
        "src/content-import/content-import.controller.js",
        include_str!("service/content-import/src/content-import/content-import.controller.js"),
    ),
    (
        "content-import",
        "src/content-import/content-import.module.js",
        include_str!("service/content-import/src/content-import/content-import.module.js"),
    ),
    (
        "content-import",
        "src/content-import/content-import.service.js",
        include_str!("service/content-import/src/content-import/content-import.service.js"),
    ),
    ("content-import", "src/content-import/content-parser.js", include_str!("service/content-import/src/content-import/content-parser.js")),
    ("content-import", "src/health/health.controller.js", include_str!("service/content-import/src/health/health.controller.js")),
    ("mailer", "mailer.js", include_str!("service/mailer/mailer.js")),
    ("mailer", "package.json", include_str!("service/mailer/package.json")),
    ("nightly-prices", "job.js", include_str!("service/nightly-prices/job.js")),
    ("storefront", "server.js", include_str!("service/storefront/server.js")),
];

/// The files of one image.
pub(crate) fn files(image: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().filter(move |f| f.0 == image).map(|f| (f.1, f.2))
}

/// Writes every image's files below `dir`.
pub(crate) fn unpack(dir: &Path) -> std::io::Result<()> {
    for (image, path, text) in FILES {
        let path = dir.join(image).join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}
