/// The console's files by their names under `/assets/`.
enum ConsoleAssets {
    static let page = ConsoleAsset("text/html; charset=utf-8", PackageResources.index_html)

    static let files: [String: ConsoleAsset] = {
        let table: [(String, [UInt8])] = [
            ("api.js", PackageResources.api_js),
            ("certificate.js", PackageResources.certificate_js),
            ("certificates.js", PackageResources.certificates_js),
            ("charts.js", PackageResources.charts_js),
            ("completeness.js", PackageResources.completeness_js),
            ("console.css", PackageResources.console_css),
            ("device.js", PackageResources.device_js),
            ("dom.js", PackageResources.dom_js),
            ("favicon.svg", PackageResources.favicon_svg),
            ("fleet.js", PackageResources.fleet_js),
            ("format.js", PackageResources.format_js),
            ("inventory.js", PackageResources.inventory_js),
            ("keys.js", PackageResources.keys_js),
            ("live.js", PackageResources.live_js),
            ("main.js", PackageResources.main_js),
            ("range.js", PackageResources.range_js),
            ("series.js", PackageResources.series_js),
            ("theme.js", PackageResources.theme_js),
            ("timeline.js", PackageResources.timeline_js),
        ]
        var files: [String: ConsoleAsset] = [:]
        for (name, bytes) in table { files[name] = ConsoleAsset(ConsoleAsset.contentType(of: name), bytes) }
        return files
    }()
}
