"""A service that tries moving-average crossovers on made-up prices: it takes a while, and answers with a job id first."""
