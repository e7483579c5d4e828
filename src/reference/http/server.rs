/// x
#[derive(Debug)]
pub struct Server {}
