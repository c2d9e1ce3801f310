/// The version of this package; between releases the next one's, with `-dev`.
package let version = "0.1.0-dev"
