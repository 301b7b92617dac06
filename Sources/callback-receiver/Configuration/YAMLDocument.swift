// One YAML document as a tree with line numbers, read through libyaml's event parser.
//
// Promises: whatever the bytes, a tree or the line and the reason why not. Depth and size are bounded; aliases,
// anchors and tags are refused, since no configuration needs them and the first can make a small file huge.
// Must not know: keys, types, what null means. The only file that knows libyaml, a C library: it is used and
// not a Swift one, because those bring Foundation, twice the memory and three times the program.

import CYAML

/// A node of the tree.
struct YAMLNode {
    enum Content {
        /// `isPlain`: written without quotes, so that `null` may mean null.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        /// In the order of the file; a key may stand there twice.
        case mapping([(key: YAMLNode, value: YAMLNode)])
    }
    let content: Content
    /// Of its first character, from 1.
    let line: Int
}

/// Why a text is no such document.
struct YAMLFault: Error {
    let line: Int?
    /// What libyaml says, or what is not taken here: the end of a sentence.
    let problem: String
}

struct YAMLDocument {
    /// Mappings and lists within each other. Three levels are there; more than this is no configuration.
    static let depthMax = 16

    /// The document's root; nil where the text is empty.
    let root: YAMLNode?

    init(_ bytes: [UInt8]) throws(YAMLFault) {
        // The parser lives in this call, and so do the bytes it reads.
        var parser = unsafe yaml_parser_t()
        guard unsafe yaml_parser_initialize(&parser) == 1 else { throw YAMLFault(line: nil, problem: "there is no memory for it") }
        defer { unsafe yaml_parser_delete(&parser) }
        var outcome: Result<YAMLNode?, YAMLFault> = .success(nil)
        unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
            unsafe yaml_parser_set_input_string(&parser, buffer.baseAddress, buffer.count)
            do throws(YAMLFault) {
                outcome = .success(try unsafe Self.read(&parser))
            } catch {
                outcome = .failure(error)
            }
        }
        root = try outcome.get()
    }

    private enum Event {
        case scalar(String, isPlain: Bool), sequenceStart, sequenceEnd, mappingStart, mappingEnd, documentStart, end, other
    }

    private static func read(_ parser: inout yaml_parser_t) throws(YAMLFault) -> YAMLNode? {
        var root: YAMLNode?
        var documents = 0
        while true {
            let (event, line) = try unsafe next(&parser)
            switch event {
            case .end: return root
            case .documentStart:
                documents += 1
                if documents > 1 { throw YAMLFault(line: line, problem: "a second document begins here") }
            case .other: continue
            default: root = try unsafe node(event, line, &parser, depth: 1)
            }
        }
    }

    /// The node that begins with `event`, with all that is in it.
    private static func node(_ event: Event, _ line: Int, _ parser: inout yaml_parser_t, depth: Int) throws(YAMLFault) -> YAMLNode {
        guard depth <= depthMax else { throw YAMLFault(line: line, problem: "it is nested more than \(depthMax) deep") }
        switch event {
        case .scalar(let text, let isPlain):
            return YAMLNode(content: .scalar(text, isPlain: isPlain), line: line)
        case .sequenceStart:
            var elements: [YAMLNode] = []
            while true {
                let (inner, innerLine) = try unsafe next(&parser)
                if case .sequenceEnd = inner { return YAMLNode(content: .sequence(elements), line: line) }
                elements.append(try unsafe node(inner, innerLine, &parser, depth: depth + 1))
            }
        case .mappingStart:
            var members: [(key: YAMLNode, value: YAMLNode)] = []
            while true {
                let (inner, innerLine) = try unsafe next(&parser)
                if case .mappingEnd = inner { return YAMLNode(content: .mapping(members), line: line) }
                let key = try unsafe node(inner, innerLine, &parser, depth: depth + 1)
                let (next, nextLine) = try unsafe next(&parser)
                members.append((key, try unsafe node(next, nextLine, &parser, depth: depth + 1)))
            }
        default:
            throw YAMLFault(line: line, problem: "a value is missing here")
        }
    }

    private static func next(_ parser: inout yaml_parser_t) throws(YAMLFault) -> (Event, line: Int) {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(&parser, &event) == 1 else {
            let problem = unsafe parser.problem.map { unsafe String(cString: $0) } ?? "it cannot be read"
            throw YAMLFault(line: unsafe Int(parser.problem_mark.line) + 1, problem: problem)
        }
        defer { unsafe yaml_event_delete(&event) }
        let line = unsafe Int(event.start_mark.line) + 1
        switch unsafe event.type {
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            try refuse(unsafe scalar.anchor != nil || scalar.tag != nil, line)
            // libyaml gives the length; the text was checked to be UTF-8 and is so still.
            let text = unsafe String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            return (.scalar(text, isPlain: unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE), line)
        case YAML_SEQUENCE_START_EVENT:
            try refuse(unsafe event.data.sequence_start.anchor != nil || event.data.sequence_start.tag != nil, line)
            return (.sequenceStart, line)
        case YAML_MAPPING_START_EVENT:
            try refuse(unsafe event.data.mapping_start.anchor != nil || event.data.mapping_start.tag != nil, line)
            return (.mappingStart, line)
        case YAML_ALIAS_EVENT:
            try refuse(true, line)
            return (.other, line)
        case YAML_SEQUENCE_END_EVENT: return (.sequenceEnd, line)
        case YAML_MAPPING_END_EVENT: return (.mappingEnd, line)
        case YAML_DOCUMENT_START_EVENT: return (.documentStart, line)
        case YAML_STREAM_END_EVENT, YAML_NO_EVENT: return (.end, line)
        default: return (.other, line)
        }
    }

    private static func refuse(_ isMarked: Bool, _ line: Int) throws(YAMLFault) {
        if isMarked { throw YAMLFault(line: line, problem: "anchors, aliases and tags are not taken") }
    }
}
