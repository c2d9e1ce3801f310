internal import PrintableText

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
    /// The endpoint alone, fit to be printed: no user, no password.
    package var description: String {
        switch endpoint {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path.printable
        }
    }
}

// MARK: - Parsing

extension NodeAddress {
    /// What is wrong with a URL, and what would be right. Never contains a password.
    package struct ParseError: Error, Hashable, CustomStringConvertible {
        package var description: String
    }

    private static func error(_ url: String, _ what: String) -> ParseError {
        ParseError(description: "'\(withoutSecrets(url))': \(what)")
    }

    /// A mark that ends a part of a URL is written otherwise in a password. Given where such a mark may be the cause.
    private static let writing = "in a password, # is written %23, ? is %3F, / is %2F, @ is %40, % is %25"

    package init(_ url: String) throws(ParseError) {
        guard let separator = url.firstRange(of: "://") else {
            // The text may be a password that was meant for elsewhere; what stands before an @ is not repeated.
            throw ParseError(
                description: "'\(Self.withoutSecrets(url))' is no node URL: write redis://host[:port] or unix:///path")
        }
        let scheme = url[..<separator.lowerBound].lowercased()
        let rest = url[separator.upperBound...]
        switch scheme {
        case "redis": self = try Self.parseTCP(rest, url: url)
        case "unix", "redis+unix": self = try Self.parseUnix(rest, url: url)
        case "rediss": throw Self.error(url, "TLS is not supported; write redis:// and use a tunnel")
        default: throw Self.error(url, "unknown scheme; write redis:// or unix://")
        }
    }

    private static func parseTCP(_ rest: Substring, url: String) throws(ParseError) -> NodeAddress {
        // The last @ ends the credentials, and a slash in a password does not end the host.
        let (credentials, location) = splitAtLastAt(rest)
        if let mark = credentials.flatMap(firstMark), !optionsHoldAt(rest) {
            let raw = rest[mark]
            throw error(url, "in a password, \(raw) is written \(raw == "#" ? "%23" : "%3F")")
        }
        guard firstMark(in: rest) == nil else {
            throw error(
                url, "options after ? or # are not known here; the database is a path: /1 (\(writing))")
        }
        let (user, password) = try parseCredentials(credentials, url: url)

        var authority = location
        var database = 0
        if let slash = location.firstIndex(of: "/") {
            authority = location[..<slash]
            let path = location[location.index(after: slash)...]
            if !path.isEmpty { database = try parseDatabase(path, url: url) }
        }

        let (host, port) = try parseAuthority(authority, url: url)
        return NodeAddress(
            endpoint: .tcp(host: SocketAddress.canonical(host.lowercased()), port: port), user: user,
            password: password, database: database)
    }

    /// `host[:port]`; the host in brackets if it is an IPv6 address.
    private static func parseAuthority(
        _ authority: Substring, url: String
    ) throws(ParseError) -> (host: Substring, port: UInt16) {
        let host: Substring
        var portText: Substring?
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else {
                throw error(url, "the IPv6 address lacks its closing ]")
            }
            host = authority[authority.index(after: authority.startIndex)..<close]
            let after = authority[authority.index(after: close)...]
            guard after.isEmpty || after.hasPrefix(":") else {
                throw error(url, "after ] comes :port or nothing")
            }
            portText = after.isEmpty ? nil : after.dropFirst()
        } else {
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2 else {
                throw error(url, "an IPv6 address stands in brackets: redis://[::1]:6379 (\(writing))")
            }
            host = parts[0]
            portText = parts.count == 2 ? parts[1] : nil
        }
        guard !host.isEmpty else { throw error(url, "the host is missing; a password stands before an @ (\(writing))") }
        guard !host.utf8.contains(0x20), host.printable == host else {
            throw error(url, "a host name has no spaces or control characters")
        }
        guard let portText else { return (host, defaultPort) }
        guard let port = UInt16(portText), port > 0, !portText.hasPrefix("+") else {
            throw error(
                url, "the port is not a number from 1 to 65535; a password stands before an @ (\(writing))")
        }
        return (host, port)
    }

    private static func parseUnix(_ rest: Substring, url: String) throws(ParseError) -> NodeAddress {
        let (credentials, location) = rest.hasPrefix("/") ? (nil, rest) : splitAtLastAt(rest)
        let (user, password) = try parseCredentials(credentials, url: url)
        var path = location
        var database = 0
        if let question = location.firstIndex(of: "?") {
            path = location[..<question]
            let option = location[location.index(after: question)...]
            guard option.hasPrefix("db="), !option.contains("&") else {
                throw error(url, "the only option is ?db=number (in a path, ? is written %3F)")
            }
            database = try parseDatabase(option.dropFirst(3), url: url)
        }
        let decoded = try percentDecoded(path, url: url)
        guard decoded.hasPrefix("/") else {
            throw error(
                url, "the path of a socket is absolute: unix:///run/redis.sock; in it, @ is written %40 (\(writing))")
        }
        guard decoded.utf8.count <= pathBytes, !decoded.utf8.contains(0) else {
            throw error(url, "the path of a socket has at most \(pathBytes) bytes, none of them zero")
        }
        return NodeAddress(endpoint: .unix(path: decoded), user: user, password: password, database: database)
    }

    private static func parseDatabase(_ text: Substring, url: String) throws(ParseError) -> Int {
        guard let number = Int(text), number >= 0, number <= 65_535, !text.hasPrefix("+") else {
            // It may be the end of a password, and is then not shown in the URL either.
            let shown = text.printable
            let quoted = withoutSecrets(url).hasSuffix(shown) ? " '\(shown)'" : ""
            throw error(url, "the database\(quoted) is not a number from 0 to 65535 (\(writing))")
        }
        return number
    }

    private static func parseCredentials(
        _ text: Substring?, url: String
    ) throws(ParseError) -> (user: String?, password: String?) {
        guard let text else { return (nil, nil) }
        guard let colon = text.firstIndex(of: ":") else {
            throw error(url, "a password is missing; write user:password@ or :password@")
        }
        let user = try percentDecoded(text[..<colon], url: url)
        let password = try percentDecoded(text[text.index(after: colon)...], url: url)
        guard !password.isEmpty else { throw error(url, "the password is empty") }
        return (user.isEmpty ? nil : user, password)
    }

    /// Looks for the byte: an @ before a combining mark is no character of its own, and must hide a password all the
    /// same.
    private static func splitAtLastAt(_ text: Substring) -> (before: Substring?, after: Substring) {
        guard let index = text.utf8.lastIndex(of: UInt8(ascii: "@")) else { return (nil, text) }
        return (text[..<index], text[text.utf8.index(after: index)...])
    }

    private static func percentDecoded(_ text: Substring, url: String) throws(ParseError) -> String {
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
                throw error(url, "% is followed by two hexadecimal digits; a plain % is %25")
            }
            bytes.append(high << 4 | low)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw error(url, "what the % escapes spell is not UTF-8; a plain % is %25")
        }
        return decoded
    }
}

// MARK: - Showing

extension NodeAddress {
    /// The URL, printable, with dots for all that may be a password: what stands before its last @, where a port should
    /// be, and after ? or #.
    package static func withoutSecrets(_ url: String) -> String {
        guard let separator = url.firstRange(of: "://") else {
            // A slash is missing.
            let scheme = ["redis:/", "unix:/"].first { url.hasPrefix($0) && !url.dropFirst($0.count).contains("/") }
            let rest = scheme.map { url.dropFirst($0.count) } ?? url[...]
            let shown = (rest.contains("@") ? "" : scheme ?? "") + hidden(rest)
            let isAddress = shown.allSatisfy { $0.isLetter || $0.isNumber || ".:/[]?=&…@-_%".contains($0) }
            return isAddress ? shown.printable : "…"
        }
        let scheme = url[..<separator.lowerBound]
        let isScheme = scheme.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
        return isScheme ? scheme + "://" + hidden(url[separator.upperBound...]).printable : "…"
    }

    /// What stands after the scheme.
    private static func hidden(_ rest: Substring) -> String {
        if optionsHoldAt(rest), let mark = firstMark(in: rest) {
            let location = rest[..<mark]
            return location.utf8.contains(UInt8(ascii: "@")) ? "…" : hidden(location) + "?…"
        }
        let (credentials, location) = splitAtLastAt(rest)
        let end = firstMark(in: location) ?? location.endIndex
        guard credentials == nil else {
            return "…@" + hiddenPath(location[..<end]) + (end < location.endIndex ? "\(location[end])…" : "")
        }
        let (shown, isWhole) = hiddenLocation(location[..<end])
        return isWhole ? shown + hiddenOptions(location[end...]) : shown
    }

    /// Beside credentials, what stands after the host may be the end of a password, unless it is a number.
    private static func hiddenPath(_ location: Substring) -> String {
        // The path of a socket.
        guard !location.hasPrefix("/") else { return String(location) }
        let (shown, isWhole) = hiddenPort(location.prefix { $0 != "/" })
        return isWhole ? shown + hiddenDatabase(location.drop { $0 != "/" }) : shown
    }

    private static func hiddenDatabase(_ path: Substring) -> String {
        path.dropFirst().allSatisfy(\.isNumber) ? String(path) : "/…"
    }

    /// In characters: a port, or a number that was meant to be one.
    private static let longestPort = 5

    /// Hides what stands for a port and is none. False if something was hidden.
    private static func hiddenPort(_ host: Substring) -> (String, isWhole: Bool) {
        func isAddress(_ text: Substring) -> Bool {
            text.prefix { $0 != "%" }.allSatisfy { $0.isHexDigit || ".:".contains($0) }
        }
        var start = host.startIndex
        if host.hasPrefix("[") {
            let end = host.firstIndex(of: "]") ?? host.endIndex
            guard isAddress(host[..<end].dropFirst()) else { return ("[…", false) }
            start = end
        } else if host.contains("::"), isAddress(host) {
            // An address without its brackets.
            return (String(host), true)
        }
        guard let colon = host[start...].firstIndex(of: ":") else { return (String(host), true) }
        let port = host[host.index(after: colon)...]
        let digits = port.first == "+" || port.first == "-" ? port.dropFirst() : port
        guard digits.count <= longestPort, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else {
            return (host[...colon] + "…", false)
        }
        return (String(host), true)
    }

    /// What stands where a host and a path should be, without an @ before it: with a colon, a password may begin there.
    private static func hiddenLocation(_ location: Substring) -> (String, isWhole: Bool) {
        let host = location.prefix { $0 != "/" }
        let path = location[host.endIndex...]
        let (shown, isWhole) = hiddenPort(host)
        guard isWhole else { return (shown, false) }
        return host.contains(":") ? (shown + hiddenDatabase(path), true) : (shown + path, true)
    }

    /// Other clients take `?password=…`; of a database there is nothing to hide.
    private static func hiddenOptions(_ text: Substring) -> String {
        guard let mark = text.first else { return "" }
        let options = text.dropFirst().split(separator: "&", omittingEmptySubsequences: false)
        let shown = options.map { option in
            let isDatabase = option.hasPrefix("db=") || option.count <= longestPort && option.allSatisfy(\.isNumber)
            return isDatabase ? String(option) : option.firstIndex(of: "=").map { option[...$0] + "…" } ?? "…"
        }
        return String(mark) + shown.joined(separator: "&")
    }

    /// Where options or a fragment may begin.
    private static func firstMark(in text: Substring) -> Substring.Index? {
        text.utf8.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
    }

    /// Whether the last @ seems to be part of an option's value: `redis://host?password=p@ssword`.
    private static func optionsHoldAt(_ rest: Substring) -> Bool {
        guard let mark = firstMark(in: rest), rest.utf8[mark] == UInt8(ascii: "?"),
            let at = rest.utf8.lastIndex(of: UInt8(ascii: "@")), mark < at
        else { return false }
        return rest[mark..<at].utf8.contains(UInt8(ascii: "="))
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
