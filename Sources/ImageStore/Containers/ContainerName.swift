/// Names for containers whose user chose none.
enum ContainerName {
    /// A name in Docker's manner: an adjective and a surname.
    static func random() -> String {
        "\(adjectives.randomElement() ?? "plain")_\(surnames.randomElement() ?? "name")"
    }

    private static let adjectives = [
        "able", "amber", "bold", "brave", "brisk", "bright", "calm", "candid", "clever", "cosmic", "crisp", "daring",
        "eager", "earnest", "fair", "fleet", "fond", "gentle", "glad", "golden", "hardy", "honest", "humble", "jolly",
        "keen", "kind", "lively", "lucid", "mellow", "merry", "modest", "nimble", "noble", "patient", "plucky",
        "polite", "proud", "quick", "quiet", "ready", "robust", "serene", "sharp", "silent", "steady", "stoic",
        "sturdy", "sunny", "tender", "tidy", "trusty", "vivid", "warm", "wise", "witty", "zesty",
    ]

    private static let surnames = [
        "agnesi", "archimedes", "babbage", "bell", "bohr", "boole", "cantor", "cauchy", "church", "curie", "darwin",
        "dijkstra", "dirac", "einstein", "euclid", "euler", "fermat", "fermi", "floyd", "franklin", "galileo",
        "galois", "gauss", "germain", "goedel", "goldberg", "hamilton", "hamming", "hilbert", "hodgkin", "hopper",
        "huygens", "hypatia", "johnson", "keller", "kepler", "knuth", "kovalevsky", "lagrange", "lamport", "laplace",
        "leibniz", "liskov", "lovelace", "maxwell", "mccarthy", "meitner", "mendel", "naur", "newton", "noether",
        "pascal", "perlman", "planck", "poincare", "ramanujan", "riemann", "ritchie", "shannon", "thompson", "torvalds",
        "turing", "volta", "wirth",
    ]
}
