//! Boards of light points, as patterns and as rules that hold for any of them.
