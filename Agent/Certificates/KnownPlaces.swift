import LinuxDriver

/// Where programs keep their certificates by custom: what is looked at when nobody says otherwise.
package enum KnownPlaces {
    package static let directories = [
        "/etc/farwatch", "/etc/letsencrypt/live", "/etc/ssl/private", "/etc/pki/tls/private", "/etc/pki/tls/certs/localhost.crt", "/etc/nginx",
        "/etc/apache2", "/etc/httpd", "/etc/mosquitto", "/etc/haproxy", "/etc/openvpn", "/etc/swanctl", "/etc/ipsec.d", "/etc/postfix",
        "/etc/postgresql", "/var/lib/postgresql", "/etc/wpa_supplicant", "/etc/mysql", "/etc/redis", "/etc/docker", "/etc/kubernetes/pki",
    ]

    /// Those that there are.
    package static func present() -> [String] { directories.filter { SmallFile.exists($0) } }
}
