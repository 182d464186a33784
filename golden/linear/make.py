"""TF-IDF, standardised counters with products, and logistic regression as scikit-learn computes them.

Writes case.json beside this file: made-up documents, numbers and labels, and what scikit-learn makes of them. Run:
python make.py
"""

import json
import pathlib
import platform

import numpy as np
import scipy
import sklearn
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

SEED = 20261
COUNTERS = 27  # as many as are counted
FARTHEST = 5.0
OF_PRODUCTS = 0.1


def documents(generator, count):
    """Lists of words, common ones more often; some empty, some with a word many times."""
    words = [f"word{number}" for number in range(30)] + [",", "été", "Ωmega"]
    weights = 1.0 / np.arange(1, len(words) + 1)
    lengths = generator.integers(0, 9, count)
    return [list(generator.choice(words, length, p=weights / weights.sum())) for length in lengths]


def tfidf(train, other, least):
    same = lambda document: document
    vectorizer = TfidfVectorizer(analyzer=same, min_df=least, sublinear_tf=True)
    learned = vectorizer.fit_transform(train)
    # scikit-learn sorts terms as Python does, by code points.
    return vectorizer, learned, vectorizer.transform(other)


def counters(generator, count):
    """Like those of changes: logarithms, shares, flags, and one that is always the same."""
    column = lambda number: generator.exponential(1.0, count) if number % 2 else generator.random(count) < 0.2
    columns = [column(number) for number in range(COUNTERS)]
    columns[3] = np.full(count, 0.3)
    # f32, as they come.
    return np.array(columns, dtype=np.float32).T.astype(float)


def with_products(train, other):
    first, products, second = StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler()
    weights = np.where(np.arange(COUNTERS * (COUNTERS + 3) // 2) < COUNTERS, 1.0, OF_PRODUCTS)
    standardised = lambda rows: second.transform(products.transform(first.transform(rows)))
    make = lambda rows: np.clip(standardised(rows), -FARTHEST, FARTHEST) * weights
    second.fit(products.fit_transform(first.fit_transform(train)))
    return make(train), make(other)


def fitted(features, targets, c, other):
    model = LogisticRegression(C=c, tol=1e-12, max_iter=100_000)
    model.fit(features, targets)
    return {
        "c": c,
        "weights": model.coef_.T.ravel().tolist(),
        # scikit-learn's intercepts are free but for a constant that all labels share.
        "intercepts": (model.intercept_ - model.intercept_.mean()).tolist(),
        "probabilities": model.predict_proba(other).ravel().tolist(),
    }


def main():
    generator = np.random.default_rng(SEED)
    train, other = documents(generator, 60), documents(generator, 25)
    vectorizer, learned, transformed = tfidf(train, other, 2)
    train_counters, other_counters = counters(generator, 20), counters(generator, 6)
    train_products, other_products = with_products(train_counters, other_counters)
    dense = lambda count: csr_matrix(generator.normal(size=(count, 5)))
    features = hstack([dense(60), learned]).tocsr()
    other_features = hstack([dense(25), transformed]).tocsr()
    true = generator.normal(size=(features.shape[1], 4))
    targets = (features @ true + generator.gumbel(size=(60, 4)) + np.array([1.0, 0.0, 0.0, -1.0])).argmax(axis=1)
    case = {
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "scikit_learn": sklearn.__version__,
        },
        "seed": SEED,
        "train_documents": train,
        "other_documents": other,
        "least": 2,
        "terms": sorted(vectorizer.vocabulary_),
        "train_tfidf": learned.toarray().ravel().tolist(),
        "other_tfidf": transformed.toarray().ravel().tolist(),
        "train_counters": train_counters.tolist(),
        "other_counters": other_counters.tolist(),
        "train_products": train_products.ravel().tolist(),
        "other_products": other_products.ravel().tolist(),
        "targets": targets.tolist(),
        "train_features": features.toarray().tolist(),
        "other_features": other_features.toarray().tolist(),
        "fits": [
            fitted(features, targets, c, other_features)
            for c in (0.1, 1.0, 30.0)
        ],
    }
    path = pathlib.Path(__file__).with_name("case.json")
    path.write_text(json.dumps(case, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
