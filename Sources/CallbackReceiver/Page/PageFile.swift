// GET / (API.md §4): the page, three files that are part of the program.
//
// Promises: they stand beside this file and are embedded as they are (Package.swift): no file is read at run time, nothing comes
// from another host. Who may ask is asked as for any answer, so that a browser shows its sign-in; nobody may keep a copy, since
// the next version's files must belong together. Whatever came from outside and is shown cannot become a script, a style or
// a frame: the browser is told so with each of them.
// Must not know: what the page does.

import HTTPWire

/// A file of the page.
enum PageFile {
    case html, style, script

    fileprivate var contentType: StaticString {
        switch self {
        case .html: "text/html; charset=utf-8"
        case .style: "text/css; charset=utf-8"
        case .script: "text/javascript; charset=utf-8"
        }
    }

    fileprivate var bytes: [UInt8] {
        switch self {
        case .html: PackageResources.page_html
        case .style: PackageResources.page_css
        case .script: PackageResources.page_js
        }
    }

    /// Content Security Policy Level 3: nothing but the two other files, the API they came with, and the icon in the first.
    private static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; \
        form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'
        """

    func fill(_ response: inout Response) {
        response.contentType = contentType
        response.fields.append(Response.Field(name: "Cache-Control", value: "no-store"))
        response.fields.append(Response.Field(name: "Content-Security-Policy", value: Self.policy))
        response.fields.append(Response.Field(name: "X-Content-Type-Options", value: "nosniff"))
        response.fields.append(Response.Field(name: "Referrer-Policy", value: "no-referrer"))
        response.fields.append(Response.Field(name: "Cross-Origin-Resource-Policy", value: "same-origin"))
        response.body.append(contentsOf: bytes)
    }
}
