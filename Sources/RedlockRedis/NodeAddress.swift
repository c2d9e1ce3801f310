/// Where a node is and how to sign in there, from a URL:
/// `redis://[[user]:password@]host[:port][/database]` or `unix://[[user]:password@]/path[?db=database]`.
package struct NodeAddress: Sendable {
    package enum Endpoint: Hashable, Sendable {
        case tcp(host: String, port: UInt16)
        case unix(path: String)
    }

    package var endpoint: Endpoint
    package var user: String?
    package var password: String?
    package var database: Int = 0

    package static let defaultPort: UInt16 = 6379
    /// What a path of a Unix socket may measure, in bytes: `sun_path` less its terminating zero.
    package static let pathBytes = 107
}

extension NodeAddress: CustomStringConvertible {
    /// The endpoint alone: no user, no password.
    package var description: String {
        switch endpoint {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }
}

// MARK: - Parsing

extension NodeAddress {
    /// What is wrong with a URL, and what would be right. Never contains a password.
    package struct ParseError: Error, Hashable, CustomStringConvertible {
        package var description: String
    }

    package init(_ url: String) throws(ParseError) {
        guard let separator = url.firstRange(of: "://") else {
            // The text may be a password that was meant for elsewhere; what stands before an @ is not repeated.
            throw ParseError(
                description: "'\(Self.withoutSecrets(url))' is no node URL: write redis://host[:port] or unix:///path")
        }
        let scheme = url[..<separator.lowerBound].lowercased()
        let rest = url[separator.upperBound...]
        switch scheme {
        case "redis":
            self = try Self.parseTCP(rest, url: url)
        case "unix", "redis+unix":
            self = try Self.parseUnix(rest, url: url)
        case "rediss":
            throw ParseError(
                description: "'\(Self.withoutSecrets(url))': TLS is not supported; write redis:// and use a tunnel")
        default:
            throw ParseError(
                description: "'\(Self.withoutSecrets(url))': unknown scheme; write redis:// or unix://")
        }
    }

    private static func parseTCP(_ rest: Substring, url: String) throws(ParseError) -> NodeAddress {
        let shown = withoutSecrets(url)
        guard !rest.contains("?"), !rest.contains("#") else {
            throw ParseError(
                description: "'\(shown)': options after ? or # are not known here; the database is a path: /1")
        }
        // The last @ ends the credentials, and a slash in a password does not end the host.
        let (credentials, location) = splitAtLastAt(rest)
        let (user, password) = try parseCredentials(credentials, shown: shown)

        var authority = location
        var database = 0
        if let slash = location.firstIndex(of: "/") {
            authority = location[..<slash]
            let path = location[location.index(after: slash)...]
            if !path.isEmpty { database = try parseDatabase(path, shown: shown) }
        }

        let (host, port) = try parseAuthority(authority, shown: shown)
        return NodeAddress(
            endpoint: .tcp(host: SocketAddress.canonical(host.lowercased()), port: port), user: user,
            password: password, database: database)
    }

    /// `host[:port]`; the host in brackets if it is an IPv6 address.
    private static func parseAuthority(
        _ authority: Substring, shown: String
    ) throws(ParseError) -> (host: Substring, port: UInt16) {
        let host: Substring
        var portText: Substring?
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else {
                throw ParseError(description: "'\(shown)': the IPv6 address lacks its closing ]")
            }
            host = authority[authority.index(after: authority.startIndex)..<close]
            let after = authority[authority.index(after: close)...]
            guard after.isEmpty || after.hasPrefix(":") else {
                throw ParseError(description: "'\(shown)': after ] comes :port or nothing")
            }
            portText = after.isEmpty ? nil : after.dropFirst()
        } else {
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2 else {
                throw ParseError(description: "'\(shown)': an IPv6 address stands in brackets: redis://[::1]:6379")
            }
            host = parts[0]
            portText = parts.count == 2 ? parts[1] : nil
        }
        guard !host.isEmpty else { throw ParseError(description: "'\(shown)': the host is missing") }
        guard !host.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) else {
            throw ParseError(description: "'\(shown)': a host name has no spaces or control characters")
        }
        guard let portText else { return (host, defaultPort) }
        guard let port = UInt16(portText), port > 0, !portText.hasPrefix("+") else {
            throw ParseError(
                description: "'\(shown)': the port is not a number from 1 to 65535 (a password stands before an @)")
        }
        return (host, port)
    }

    private static func parseUnix(_ rest: Substring, url: String) throws(ParseError) -> NodeAddress {
        let shown = withoutSecrets(url)
        let (credentials, location) = rest.hasPrefix("/") ? (nil, rest) : splitAtLastAt(rest)
        let (user, password) = try parseCredentials(credentials, shown: shown)
        var path = location
        var database = 0
        if let question = location.firstIndex(of: "?") {
            path = location[..<question]
            let option = location[location.index(after: question)...]
            guard option.hasPrefix("db="), !option.contains("&") else {
                throw ParseError(description: "'\(shown)': the only option is ?db=number")
            }
            database = try parseDatabase(option.dropFirst(3), shown: shown)
        }
        let decoded = try percentDecoded(path, shown: shown)
        guard decoded.hasPrefix("/") else {
            throw ParseError(description: "'\(shown)': the path of a socket is absolute: unix:///run/redis.sock")
        }
        guard decoded.utf8.count <= pathBytes, !decoded.utf8.contains(0) else {
            throw ParseError(
                description: "'\(shown)': the path of a socket has at most \(pathBytes) bytes, none of them zero")
        }
        return NodeAddress(endpoint: .unix(path: decoded), user: user, password: password, database: database)
    }

    private static func parseDatabase(_ text: Substring, shown: String) throws(ParseError) -> Int {
        guard let number = Int(text), number >= 0, number <= 65_535, !text.hasPrefix("+") else {
            throw ParseError(description: "'\(shown)': the database '\(text)' is not a number from 0 to 65535")
        }
        return number
    }

    private static func parseCredentials(
        _ text: Substring?, shown: String
    ) throws(ParseError) -> (user: String?, password: String?) {
        guard let text else { return (nil, nil) }
        guard let colon = text.firstIndex(of: ":") else {
            throw ParseError(description: "'\(shown)': a password is missing; write user:password@ or :password@")
        }
        let user = try percentDecoded(text[..<colon], shown: shown)
        let password = try percentDecoded(text[text.index(after: colon)...], shown: shown)
        guard !password.isEmpty else { throw ParseError(description: "'\(shown)': the password is empty") }
        return (user.isEmpty ? nil : user, password)
    }

    /// Looks for the byte: an @ before a combining mark is no character of its own, and must hide a password all the
    /// same.
    private static func splitAtLastAt(_ text: Substring) -> (before: Substring?, after: Substring) {
        guard let index = text.utf8.lastIndex(of: UInt8(ascii: "@")) else { return (nil, text) }
        return (text[..<index], text[text.utf8.index(after: index)...])
    }

    private static func percentDecoded(_ text: Substring, shown: String) throws(ParseError) -> String {
        func digit(_ byte: UInt8?) -> UInt8? {
            byte.flatMap { Character(UnicodeScalar($0)).hexDigitValue.map(UInt8.init) }
        }
        var bytes: [UInt8] = []
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = digit(rest.next()), let low = digit(rest.next()) else {
                throw ParseError(description: "'\(shown)': % is followed by two hexadecimal digits; a plain % is %25")
            }
            bytes.append(high << 4 | low)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw ParseError(description: "'\(shown)': what the % escapes spell is not UTF-8")
        }
        return decoded
    }

    /// The URL with dots for what stands before its last @, where a port should be, or as the value of an option: it
    /// may be a password.
    package static func withoutSecrets(_ url: String) -> String {
        let shown = withoutCredentials(url)
        guard let question = shown.firstIndex(of: "?") else { return shown }
        // Other clients take `?password=…`; of a database there is nothing to hide.
        let options = shown[shown.index(after: question)...].split(separator: "&", omittingEmptySubsequences: false)
        let names = options.map { option in
            option.hasPrefix("db=") ? String(option) : option.firstIndex(of: "=").map { option[...$0] + "…" } ?? "…"
        }
        return shown[...question] + names.joined(separator: "&")
    }

    private static func withoutCredentials(_ url: String) -> String {
        let start = url.firstRange(of: "://")?.upperBound ?? url.startIndex
        if let at = url.utf8.lastIndex(of: UInt8(ascii: "@")) {
            return start <= at ? url[..<start] + "…" + url[at...] : "…" + url[at...]
        }
        let host = url[start...].prefix { $0 != "/" }
        guard !host.hasPrefix("["), let colon = host.firstIndex(of: ":") else { return url }
        let port = host[host.index(after: colon)...]
        // An IPv6 address without its brackets is no secret either.
        guard !port.allSatisfy({ $0.isHexDigit || ":+-".contains($0) }) else { return url }
        return url[...colon] + "…"
    }
}

extension String {
    fileprivate func firstRange(of text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
