import numpy as np

from rtgenre.learning.regression import fit_coefficients
from rtgenre.model.head import log_sum


def data(n=300, d=5, k=3):
    rng = np.random.default_rng(3)
    columns = rng.integers(k, size=n)
    values = rng.normal(size=(n, d)) + 1.5 * np.eye(k, d)[columns]
    return values.astype(np.float32), columns, rng.uniform(0.5, 1.5, n).astype(np.float32)


def test_no_small_change_of_any_coefficient_explains_the_rows_better():
    values, columns, weights = data()
    prior = np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32)
    offsets = np.random.default_rng(2).normal(size=(300, 3)).astype(np.float32)
    found = fit_coefficients(values, columns, weights, prior, ridge=4.0, offsets=offsets)

    def loss(coefficients):
        logits = values @ coefficients[:-1] + coefficients[-1] + offsets
        explained = (logits - log_sum(logits))[np.arange(len(columns)), columns]
        distance = (coefficients - prior) ** 2
        return -weights @ explained + 2.0 * (distance[:-1].sum() + 1e-3 * distance[-1].sum())

    least = loss(found.astype(np.float64))
    for row, column in np.ndindex(*found.shape):
        for step in (-0.05, 0.05):
            changed = found.astype(np.float64)
            changed[row, column] += step
            assert loss(changed) > least - 1e-3


def test_coefficients_stay_at_their_prior_when_it_weighs_far_more_than_the_rows():
    values, columns, weights = data()
    prior = np.ones((6, 3), np.float32)
    found = fit_coefficients(values, columns, weights, prior, ridge=1e6)
    np.testing.assert_allclose(found[:-1], prior[:-1], atol=1e-2)
