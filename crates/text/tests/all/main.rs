//! What is searched, and that the index finds it.

mod documents_are_their_text;
mod the_index_finds_what_a_plain_search_finds;
