//! Functions that make much out of little: `repeat('x', 1000000000)` would take its memory before
//! any pool is asked, so what they are about to make is checked first.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::{cast, sum};
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use datafusion::prelude::SessionContext;

/// The functions and which argument, from 0, says how much.
const GROWING: &[(&str, usize)] =
    &[("repeat", 1), ("lpad", 1), ("rpad", 1), ("array_repeat", 1), ("array_resize", 1)];

/// Functions that make series out of their bounds; how long is not plain from any argument.
const SERIES: &[&str] = &["range", "generate_series", "gen_series"];

/// Puts the bounded functions into a session.
pub(super) fn bound_functions(context: &SessionContext, bytes: u64) -> Result<()> {
    for name in SERIES {
        context.deregister_udf(name);
    }
    for (name, count) in GROWING {
        if let Ok(inner) = context.udf(name) {
            let bounded = Bounded { inner, count: *count, bytes };
            context.register_udf(ScalarUDF::new_from_impl(bounded));
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    count: usize,
    bytes: u64,
}

impl Bounded {
    /// About how many bytes a call makes: the sum of the counts times the size of one value.
    fn estimate(&self, args: &ScalarFunctionArgs) -> Result<u64> {
        let rows = args.number_rows.max(1);
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let Some(counts) = arrays.get(self.count) else { return Ok(0) };
        let rows = if counts.len() == 1 { rows } else { 1 };
        let counts = cast(counts, &DataType::Int64)?;
        let total = sum(counts.as_primitive::<Int64Type>()).unwrap_or(0).max(0) as u64;
        let value = arrays.first().map_or(1, |a| a.get_array_memory_size() / a.len().max(1));
        // A short text's share of its array's own size says nothing of the text.
        let value = if value < 256 { 1 } else { value };
        Ok(total.saturating_mul(rows as u64).saturating_mul(value as u64))
    }
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.inner().coerce_types(types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if self.estimate(&args)? > self.bytes {
            let message = format!("{} would make too much", self.inner.name());
            return Err(DataFusionError::ResourcesExhausted(message));
        }
        self.inner.invoke_with_args(args)
    }
}
