//! What is searched, and that the index finds it.

mod the_index_finds_what_a_plain_search_finds;
