//! Files that are sound and files that are not.

mod whatever_a_file_is_it_is_read_to_an_end;
